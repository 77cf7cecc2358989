// The bar at the top of every page. Text is only ever set as text, never as markup.

// Where a text that is typed into the search may lead.
const TARGETS = [
  ["Trace with this id", "/trace", "trace"], ["Traces whose name contains it", "/traces", "named"], ["Observations whose name contains it", "/observations", "named"],
  ["Sessions whose id contains it", "/sessions", "named"], ["Users whose id contains it", "/users", "named"],
  ["Scores of this name", "/scores", "score"], ["Prompts whose name contains it", "/prompts", "named"],
]
const PAGES = [
  ["Overview", "/"], ["Traces", "/traces"], ["Observations", "/observations"], ["Sessions", "/sessions"], ["Users", "/users"], ["Scores", "/scores"], ["Score analytics", "/score-analytics"],
  ["Prompts", "/prompts"], ["Playground", "/playground"], ["Datasets", "/datasets"], ["Evaluators", "/evaluators"],
  ["Evaluation rules", "/rules"], ["Evaluation runs", "/runs"], ["Annotation", "/annotation"],
  ["Dashboards", "/dashboards"], ["Settings", "/settings"],
]

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
    // What is open belongs to the project that is left: its list is what the other one has too.
    const page = {"/trace": "/traces", "/session": "/sessions", "/prompt": "/prompts", "/dataset": "/datasets", "/evaluator": "/evaluators", "/rule": "/rules", "/run": "/runs", "/queue": "/annotation", "/labelling": "/annotation", "/dashboard": "/dashboards"}[model.page] || model.page
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

function jump(model) {
  const dialog = make("dialog", "jump")
  dialog.setAttribute("aria-label", "Search and jump")
  const input = make("input")
  input.type = "search"
  input.placeholder = "An id, a name, or a page"
  input.setAttribute("aria-label", "Search")
  const list = make("div", "targets")
  const fill = () => {
    const text = input.value.trim()
    const pages = PAGES.filter(([title]) => title.toLowerCase().includes(text.toLowerCase())).map(([title, path]) => [title, path + model.query])
    const found = text ? TARGETS.map(([title, path, name]) => [`${title}: ${text}`, `${path}${model.query}&${name}=${encodeURIComponent(text)}`]) : []
    list.replaceChildren(...[...pages, ...found].map(([title, href]) => {
      const link = make("a", "", title)
      link.href = href
      return link
    }))
  }
  input.addEventListener("input", fill)
  dialog.addEventListener("keydown", (event) => {
    const links = [...list.children]
    const at = links.indexOf(event.target)
    if (event.key === "Enter" && event.target === input && links.length) {
      window.location.assign(links[0].href)
    } else if (event.key === "ArrowDown" && links.length) {
      links[Math.min(at + 1, links.length - 1)].focus()
    } else if (event.key === "ArrowUp") {
      if (at > 0) { links[at - 1].focus() } else { input.focus() }
    } else { return }
    event.preventDefault()
  })
  dialog.addEventListener("click", (event) => { if (event.target === dialog) { dialog.close() } })
  dialog.append(input, list)
  const open = () => { input.value = ""; fill(); dialog.showModal(); input.focus() }
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !dialog.open) { event.preventDefault(); open() }
  })
  // Choices of the component library open by a click alone; a list box opens by the keyboard, too.
  document.addEventListener("keydown", (event) => {
    const box = event.composedPath()[0]
    if (["Enter", " ", "ArrowDown"].includes(event.key) && box.matches?.("div[role=combobox][aria-expanded=false]")) {
      event.preventDefault()
      box.click()
    }
  })
  const icon = make("span", "icon", "search")
  icon.setAttribute("aria-hidden", "true")
  const button = make("button", "search")
  button.type = "button"
  button.append(icon, make("span", "label", "Search"), make("kbd", "", "Ctrl K"))
  button.addEventListener("click", open)
  return [button, dialog]
}

export function render({model, el}) {
  const bar = make("div", "bar")
  const home = make("a", "home")
  const mark = make("img")
  mark.src = "/assets/mark.svg"
  mark.alt = ""
  home.append(mark, make("span", "", "Heliograph"))
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
  const [search, dialog] = jump(model)
  const showHome = () => { home.href = `/${model.query}` }
  bar.append(home, projectSwitch(model), make("div", "gap"), search, theme, signOut(model))
  el.append(bar, dialog)
  // The page's own progress bar, beside this one, has no name for those who do not see it.
  const beside = el.getRootNode().host?.getRootNode().querySelector("[role=progressbar]")
  beside?.setAttribute("aria-label", "Work of the page")
  showHome()
  showTheme()
  model.on("query", showHome)
  model.on("is_dark", showTheme)
}
