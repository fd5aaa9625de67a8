"""What the keys do while a recorded run is played."""

from tui.screens.calls import Calls


class ReplayView(Calls):
    """The main screen with the keys of a replay."""

    def action_play(self) -> None:
        """Play, or hold."""
        if self.desk.player is not None:
            self.desk.player.toggle()
            self.redraw()

    def _seek(self, position: int) -> None:
        if self.desk.player is not None:
            self.desk.player.playing = False
            self.desk.player.seek(position)
            self.redraw()

    def action_next(self) -> None:
        """One event forward."""
        if self.desk.player is not None:
            self._seek(self.desk.player.position + 1)

    def action_previous(self) -> None:
        """One event back."""
        if self.desk.player is not None:
            self._seek(self.desk.player.position - 1)

    def action_start(self) -> None:
        """To the first event."""
        self._seek(0)

    def action_end(self) -> None:
        """To the last event."""
        if self.desk.player is not None:
            self._seek(len(self.desk.player.events))

    def action_next_decision(self) -> None:
        """To the next decision."""
        self._decide(1)

    def action_previous_decision(self) -> None:
        """To the decision before."""
        self._decide(-1)

    def _decide(self, step: int) -> None:
        if self.desk.player is not None:
            self.desk.player.playing = False
            self.desk.player.decision(step)
            self.redraw()

    def action_onward(self) -> None:
        """A tenth of the run forward."""
        self._seek_by(1)

    def action_backward(self) -> None:
        """A tenth of the run back."""
        self._seek_by(-1)

    def _seek_by(self, tenths: int) -> None:
        if self.desk.player is not None:
            step = max(1, len(self.desk.player.events) // 10)
            self._seek(self.desk.player.position + tenths * step)

    def action_faster(self) -> None:
        """Twice the speed."""
        if self.desk.player is not None:
            self.desk.player.faster(1)

    def action_slower(self) -> None:
        """Half the speed."""
        if self.desk.player is not None:
            self.desk.player.faster(-1)

    def action_close(self) -> None:
        """Leave the replay."""
        self.desk.leave_replay()
        self.say("")
        self.redraw()
