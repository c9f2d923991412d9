"use strict";
// Runs before the page is drawn, so that a chosen theme doesn't flash.
(() => {
  try {
    const theme = localStorage.getItem("prunella-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is switched off: the system's theme is it.
  }
})();
