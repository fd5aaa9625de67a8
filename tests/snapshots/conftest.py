import sys
from pathlib import Path

# pytest imports by importlib here, which leaves helpers beside the tests unimportable.
sys.path.insert(0, str(Path(__file__).parent))
