"""Which WSDLs the hub ships: folders that apps name, and the files in them. None is ever fetched."""

from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from integrations.adapters.errors import Misconfigured

_folders: dict[str, Path] = {}


def wsdl_folder(name: str, folder: Path) -> None:
    """Register an app's WSDLs: `folder` under `name`, which begins the names of those in it.

    They may import schemas from anywhere in the folder's parent. ValueError where the name is taken by another folder.
    """
    where = folder.resolve()
    if not name or "/" in name or _folders.setdefault(name, where) != where:
        raise ValueError(
            f"{name!r} cannot be the name of {where}: it is {_folders.get(name, 'no plain name')}"
        )


def wsdl_names() -> list[str]:
    """Every WSDL there is, by the name a connection gives it."""
    return sorted(
        f"{name}/{path.relative_to(folder).as_posix()}"
        for name, folder in _folders.items()
        for path in folder.rglob("*.wsdl")
    )


def wsdl_path(name: str) -> Path:
    """The WSDL's file; Misconfigured says which there are. `name`: e.g. crm/SendCallBacks.wsdl."""
    first, *rest = PurePosixPath(name).parts or ("",)
    folder = _folders.get(first)
    if ".." in rest or "\\" in name or "\0" in name or first in ("/", "//", ".."):
        raise Misconfigured(
            f"WSDL {name!r} is no name of a WSDL: it may not begin with / nor climb", hint=_known()
        )
    if folder is not None and rest:
        found = folder.joinpath(*rest).resolve()
        if found.is_relative_to(folder) and found.is_file():
            return found
    raise Misconfigured(f"WSDL {name!r} is not shipped with the hub; {_known()}")


def shipped_file(location: str, name: str) -> Path:
    """The file that the WSDL of this name imports from `location`, an absolute path; Misconfigured for any other."""
    if urlsplit(location).scheme:
        raise Misconfigured(
            f"WSDL {name!r} imports {location}, which is not shipped with the hub",
            hint="Give the import a relative schemaLocation, and put the file there.",
        )
    found, bounds = Path(location).resolve(), _folders[PurePosixPath(name).parts[0]].parent
    if not found.is_relative_to(bounds):
        raise Misconfigured(f"WSDL {name!r} imports {location}, which lies outside of {bounds}")
    if not found.is_file():
        raise Misconfigured(f"WSDL {name!r} imports {location}, and there is no such file")
    return found


def _known() -> str:
    return f"there are {', '.join(wsdl_names()) or 'none'}"
