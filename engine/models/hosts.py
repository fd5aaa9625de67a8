"""Where a model server is: every form in which Ollama's own OLLAMA_HOST can be written."""

import ipaddress
import re
from urllib.parse import urlsplit

from engine.errors import ConfigError

DEFAULT_PORT = 11434
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?\Z")


def normalise_host(text: str) -> str:
    """Return the address as ``scheme://host:port/path``, whichever form it was written in.

    ``host``, ``host:port``, ``:port``, with scheme, IPv6 with or without brackets, quoted, empty.
    Without a scheme the port is 11434, else the scheme's own; an address that means "all of this
    machine" becomes this machine. Raises ConfigError for other schemes, for a user name or
    password, and for link-local addresses, where clouds keep their secrets.

    >>> normalise_host("gpu-box"), normalise_host(" '0.0.0.0:5000' "), normalise_host("https://a.org/ollama/")
    ('http://gpu-box:11434', 'http://127.0.0.1:5000', 'https://a.org:443/ollama')
    >>> normalise_host("::1"), normalise_host("[::1]:80")
    ('http://[::1]:11434', 'http://[::1]:80')
    """
    plain = text.strip().strip("\"'").strip()
    found = _SCHEME.match(plain)
    scheme = found[1].lower() if found else "http"
    if "@" in plain.partition("?")[0]:  # before anything is said that would repeat it
        raise ConfigError("the model server's address holds a user name or password", "leave it out")
    if scheme not in _PORTS:
        raise _wrong(text, "only http and https can be used")
    rest = plain[found.end() :] if found else plain
    authority, slash, path = rest.partition("/")
    host, port = _split(authority, text)
    number = _PORTS[scheme] if found else DEFAULT_PORT
    if port:
        if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
            raise _wrong(text, "its port is not a number from 0 to 65535")
        number = int(port)
    if "?" in path or "#" in path or any(char.isspace() for char in path):
        raise _wrong(text, "its path holds '?', '#' or a blank")
    tail = f"/{path.strip('/')}" if slash and path.strip("/") else ""
    return f"{scheme}://{_checked(host or '127.0.0.1', text)}:{number}{tail}"


def address(url: str) -> str:
    """Return a server's address as people say it.

    >>> address("http://127.0.0.1:11434"), address("https://a.org:443")
    ('127.0.0.1:11434', 'https://a.org:443')
    """
    return url.removeprefix("http://")


def _split(authority: str, text: str) -> tuple[str, str]:
    if authority.startswith("["):
        host, bracket, port = authority[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise _wrong(text, "its brackets do not match")
        return host, port[1:]
    if authority.count(":") > 1:
        return authority, ""
    host, _, port = authority.partition(":")
    return host, port


def _checked(host: str, text: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # A name made of digits is an IPv4 address in disguise to some resolvers, such as 2130706433.
        if not _NAME.match(host) or re.fullmatch(r"[0-9.]+|0[xX][0-9a-fA-F.xX]+", host):
            raise _wrong(text, "its host is neither a name nor an address") from None
        return host.lower()
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    if address.is_link_local or address.is_multicast:
        raise _wrong(text, "link-local and multicast addresses are not asked")
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return f"[{address}]" if address.version == 6 else str(address)


def _wrong(text: str, why: str) -> ConfigError:
    return ConfigError(
        f"the model server's address {text[:80]!r} cannot be used: {why}", "such as http://127.0.0.1:11434"
    )


def is_loopback(url: str) -> bool:
    """Return whether the address is this machine, so that nothing leaves it.

    >>> is_loopback("http://127.0.0.1:11434"), is_loopback("http://gpu-box:11434")
    (True, False)
    """
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
