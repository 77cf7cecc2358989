// Which columns of a table are shown. Text is only ever set as text.

function make(tag, className, text) {
  const node = document.createElement(tag)
  if (className) { node.className = className }
  if (text !== undefined) { node.textContent = text }
  return node
}

export function render({model, el}) {
  const panel = make("div", "panel")
  panel.popover = "auto"
  panel.setAttribute("role", "group")
  panel.setAttribute("aria-label", "Columns")
  const icon = make("span", "icon", "view_column")
  icon.setAttribute("aria-hidden", "true")
  const label = make("span")
  const button = make("button", "open")
  button.type = "button"
  button.setAttribute("aria-haspopup", "true")
  button.popoverTargetElement = panel
  button.append(icon, label)
  const fill = () => {
    panel.replaceChildren(...model.columns.map(({field, title}, index) => {
      const row = make("label")
      const box = make("input")
      box.type = "checkbox"
      box.checked = !model.hidden.includes(field)
      // The first one leads to what the row stands for.
      box.disabled = index === 0
      box.addEventListener("change", () => {
        model.hidden = box.checked ? model.hidden.filter((name) => name !== field) : [...model.hidden, field]
      })
      row.append(box, make("span", "", title))
      return row
    }))
  }
  const count = () => {
    label.textContent = model.hidden.length ? `Columns (${model.columns.length - model.hidden.length} of ${model.columns.length})` : "Columns"
  }
  panel.addEventListener("toggle", (event) => {
    if (event.newState !== "open") { return }
    fill()
    const {bottom, right} = button.getBoundingClientRect()
    panel.style.top = `${bottom + 6}px`
    panel.style.right = `${document.documentElement.clientWidth - right}px`
    panel.querySelector("input:enabled")?.focus()
  })
  el.append(button, panel)
  count()
  model.on(["columns", "hidden"], count)
}
