"""Bars of files under way: bytes, rate, and the time that is left, as rich draws them."""

from rich.console import RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column

from gmi_video.cli.plain import printable
from gmi_video.transfer import Transfer


class Bars:
    """One bar per file. It draws nothing itself: whoever is live shows `picture`."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
            BarColumn(bar_width=16),
            DownloadColumn(table_column=Column(no_wrap=True, justify="right")),
            TransferSpeedColumn(table_column=Column(no_wrap=True, justify="right")),
            TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
            expand=True,
            auto_refresh=False,
        )
        self._tasks: dict[str, TaskID] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def tell(self, transfer: Transfer) -> None:
        """How far a file has come. What an earlier run left behind counts for the bar, not for the rate."""
        task = self._tasks.get(transfer.name)
        if task is None:
            name = printable(transfer.name, 200)
            task = self._progress.add_task(name, total=transfer.total, completed=transfer.done)
            self._tasks[transfer.name] = task
        elif transfer.done < self._progress.tasks[self._place(task)].completed:
            self._progress.reset(task, total=transfer.total, completed=int(transfer.done))
        else:
            self._progress.update(task, completed=transfer.done, total=transfer.total)

    def _place(self, task: TaskID) -> int:
        return self._progress.task_ids.index(task)

    def picture(self) -> RenderableType:
        """The bars at this moment."""
        return self._progress.get_renderable()
