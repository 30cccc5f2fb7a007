"""keyaudit: every credential rotated on time, every old one gone, and what could not be seen."""

__version__ = "0.1.0"
