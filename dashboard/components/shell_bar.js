// The bar at the top of every page. Text is only ever set as text, never as markup.

const PAGES = [["/", "Overview"], ["/traces", "Traces"]]

function make(tag, className, text) {
  const node = document.createElement(tag)
  if (className) { node.className = className }
  if (text !== undefined) { node.textContent = text }
  return node
}

function projectSwitch(model) {
  const label = make("label", "switch")
  label.append(make("span", "quiet", "Project"))
  const select = make("select")
  select.setAttribute("aria-label", "Project")
  for (const {id, name} of model.projects) {
    const option = make("option", "", name)
    option.value = id
    option.selected = id === model.project_id
    select.append(option)
  }
  select.addEventListener("change", () => {
    const page = model.page === "/trace" ? "/traces" : model.page
    window.location.assign(`${page}?project=${encodeURIComponent(select.value)}`)
  })
  label.append(select)
  return label
}

function signOut(model) {
  const form = make("form", "who")
  form.method = "post"
  form.action = "/logout"
  form.append(make("span", "quiet email", model.email))
  const button = make("button", "plain", "Sign out")
  button.type = "submit"
  form.append(button)
  return form
}

export function render({model, el}) {
  const bar = make("div", "bar")
  const home = make("a", "home")
  const mark = make("img")
  mark.src = "/assets/mark.svg"
  mark.alt = ""
  home.append(mark, make("span", "", "Heliograph"))
  const nav = make("nav")
  nav.setAttribute("aria-label", "Pages")
  const links = PAGES.map(([path, title]) => {
    const link = make("a", "", title)
    if (path === model.page || (path === "/traces" && model.page === "/trace")) {
      link.setAttribute("aria-current", "page")
    }
    nav.append(link)
    return [link, path]
  })
  const theme = make("button", "plain icon")
  theme.type = "button"
  const showTheme = () => {
    theme.textContent = model.is_dark ? "light_mode" : "dark_mode"
    theme.setAttribute("aria-label", model.is_dark ? "Use the light theme" : "Use the dark theme")
    theme.title = theme.getAttribute("aria-label")
  }
  theme.addEventListener("click", () => {
    document.cookie = `heliograph_theme=${model.is_dark ? "light" : "dark"}; path=/; max-age=31536000; samesite=lax`
    model.is_dark = !model.is_dark
  })
  const showLinks = () => {
    home.href = `/${model.query}`
    for (const [link, path] of links) { link.href = path + model.query }
  }
  bar.append(home, projectSwitch(model), nav, make("div", "gap"), theme, signOut(model))
  el.append(bar)
  showLinks()
  showTheme()
  model.on("query", showLinks)
  model.on("is_dark", showTheme)
}
