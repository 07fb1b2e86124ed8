// Light, dark, or as the system has it. The choice is remembered where the browser allows it.

const THEMES = { system: "as the system", light: "light", dark: "dark" };

/** The theme that was chosen before; none where nothing may be remembered (sandboxed frames). */
function rememberedTheme() {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null;
  }
}

function rememberTheme(theme) {
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // the theme holds as long as the page is open
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.getElementById("theme").textContent = `Theme: ${THEMES[theme]}`;
  document.dispatchEvent(new Event("theme"));
}

function startTheme() {
  const names = Object.keys(THEMES);
  const before = rememberedTheme();
  setTheme(names.includes(before) ? before : "system");
  document.getElementById("theme").addEventListener("click", () => {
    const next = names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length];
    setTheme(next);
    rememberTheme(next);
  });
}
