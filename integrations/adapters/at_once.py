"""Several small files at once, in a bounded number of threads: what a store does whose sessions threads may share.

The same promise as `several.each`: results in the order asked for, an AdapterError in the place of what failed.
After the first failure nothing new is started, what is in flight finishes.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from integrations.adapters.errors import AdapterError
from integrations.adapters.several import Each, Item, Result, each, not_started


def each_at_once(items: Sequence[Item], do: Callable[[Item], Result], at_once: int) -> Each[Result]:
    """`do` with each item, at most `at_once` of them under way; anything but an AdapterError is raised at the end.

    `do` runs in other threads; with one item, or one at a time, in the caller's own.
    """
    workers = min(at_once, len(items))
    if workers <= 1:
        return each(items, do)
    failed = threading.Event()

    def one(item: Item) -> Result | AdapterError:
        if failed.is_set():
            return not_started()
        try:
            return do(item)
        except AdapterError as error:
            failed.set()
            return error
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(workers, thread_name_prefix="several") as pool:
        under_way = [pool.submit(one, item) for item in items]
    return [future.result() for future in under_way]
