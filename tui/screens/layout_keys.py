"""How the room of the screen is shared: zoom, sizes, the edges beside the graph."""

from tui.panes.ego import end_of
from tui.remembered import TALLEST
from tui.screens.calls import Calls
from tui.screens.main_view import HEIGHTS, PANES
from tui.widgets.parts_line import PartsLine
from tui.widgets.row_list import RowList


class LayoutKeys(Calls):
    """The main screen with the keys of its layout. What is changed is kept for the next time."""

    def action_zoom(self) -> None:
        """Give one pane the whole screen, or end that."""
        self.zoomed = not self.zoomed
        self.place_panes()

    def action_wider(self) -> None:
        """Give the left side more room."""
        self._divide(5)

    def action_narrower(self) -> None:
        """Give the left side less room."""
        self._divide(-5)

    def _divide(self, step: int) -> None:
        self.split = min(max(self.split + step, 20), 70)
        self.moe.remembered.split = self.split
        self.moe.remember()
        self.place_panes()

    def action_taller(self) -> None:
        """Give the pane more of the height of its side."""
        self._stretch(1)

    def action_shorter(self) -> None:
        """Give the pane less of it."""
        self._stretch(-1)

    def _stretch(self, step: int) -> None:
        heights = self.moe.remembered.heights
        share = heights.get(self.shown_pane, HEIGHTS[self.shown_pane]) + step
        heights[self.shown_pane] = min(max(share, 1), TALLEST)
        self.moe.remember()
        self.place_panes()

    def action_edges(self) -> None:
        """Show the edges of the selected node beside the graph, or hide them."""
        self.moe.remembered.ego = not self.ego_shown
        self.moe.remember()
        self.show_pane("graph")

    # -- the edges beside the graph --------------------------------------------------------------
    def on_row_list_moved(self, event: RowList.Moved) -> None:
        """Show the edges of the node under the cursor."""
        if event.rows.id == "graph":
            self.show_edges()

    def follow_edge(self, key: str) -> None:
        """Go to the node at the other end of an edge, if the tree shows it."""
        graph = self.query_one("#graph", RowList)
        node = end_of(key)
        if any(line.key == node for line in graph.rows):
            graph.go_to(node)
            graph.focus()
        elif node:
            self.say("that node is in a branch that is closed")

    # -- mouse -----------------------------------------------------------------------------------
    def on_parts_line_clicked(self, event: PartsLine.Clicked) -> None:
        """Show the pane whose tab was clicked, go to where a replay was clicked, open the models."""
        if event.line.id == "tabs" and event.part < len(PANES):
            self.show_pane(PANES[event.part])
        elif event.line.id == "model":
            self.call_later(self.run_action, "models")
        elif event.line.id == "replay" and event.part == 1 and self.desk.player is not None:
            self.desk.player.playing = False
            self.desk.player.seek(round(len(self.desk.player.events) * event.share))
            self.redraw()
