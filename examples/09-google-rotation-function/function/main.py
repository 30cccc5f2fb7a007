"""What Cloud Run looks for: the function is keyaudit's own."""  # noqa: INP001 - a program, not a package

from keyaudit.rotation.google_function import rotate

__all__ = ["rotate"]
