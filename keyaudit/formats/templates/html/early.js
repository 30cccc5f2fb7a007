"use strict";
// Runs before anything is painted: no flash of the wrong theme, no flash of the plain table.
document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("keyaudit-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch { /* a page opened from disk may not be allowed to remember */ }
