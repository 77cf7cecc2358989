// A table whose rows are links. It shows the page that the server chose; text is only ever set as text.

function make(tag, className, text) {
  const node = document.createElement(tag)
  if (className) { node.className = className }
  if (text !== undefined) { node.textContent = text }
  return node
}

// The box that chooses a row, or at the head all of the page.
function choice(model, label, isChosen, choose) {
  const box = make("input")
  box.type = "checkbox"
  box.setAttribute("aria-label", label)
  box.checked = isChosen
  box.addEventListener("change", () => choose(box.checked))
  return box
}

function shown({columns, hidden}) {
  return columns.filter(({field}, index) => index === 0 || !hidden.includes(field))
}

function head(model) {
  const row = make("tr")
  if (model.is_selectable) {
    const ids = model.rows.map(({id}) => id)
    const cell = make("th", "choice")
    const isAll = ids.length > 0 && ids.every((id) => model.selected.includes(id))
    cell.append(choice(model, "Choose all rows", isAll, (isChosen) => { model.selected = isChosen ? ids : [] }))
    row.append(cell)
  }
  for (const {field, title, align, sortable} of shown(model)) {
    const cell = make("th", align || "")
    cell.scope = "col"
    if (sortable) {
      const isSorted = model.sort === field
      const button = make("button", "", title)
      button.type = "button"
      cell.setAttribute("aria-sort", isSorted ? (model.order === "desc" ? "descending" : "ascending") : "none")
      button.append(make("span", "arrow", isSorted ? (model.order === "desc" ? "↓" : "↑") : ""))
      button.addEventListener("click", () => model.send_msg({sort: field}))
      cell.append(button)
    } else {
      cell.textContent = title
    }
    row.append(cell)
  }
  const thead = make("thead")
  thead.append(row)
  return thead
}

function body(model) {
  const tbody = make("tbody")
  for (const record of model.rows) {
    const row = make("tr")
    if (model.is_selectable) {
      const cell = make("td", "choice")
      cell.append(choice(model, `Choose ${record[model.columns[1].field]}`, model.selected.includes(record.id), (isChosen) => {
        model.selected = isChosen ? [...model.selected, record.id] : model.selected.filter((id) => id !== record.id)
      }))
      row.append(cell)
    }
    shown(model).forEach(({field, align, kind}, index) => {
      const cell = make("td", [align || "", kind ? `kind-${kind}` : ""].join(" ").trim())
      const value = record[field]
      if (index === 0 && record.href) {
        const link = make("a", "", value)
        link.href = record.href
        link.title = value
        cell.append(link)
      } else if (kind === "chips") {
        const chips = make("div", "chips")
        for (const text of value) { chips.append(Object.assign(make("span", "chip", text), {title: text})) }
        cell.append(chips)
      } else if (kind === "type") {
        const [icon, colour] = model.looks[value] || model.looks.SPAN
        const mark = make("span", "icon", icon)
        mark.style.color = colour
        mark.setAttribute("aria-hidden", "true")
        cell.append(mark, make("span", "", value.toLowerCase()))
      } else if (kind === "level") {
        if (value) { cell.append(make("span", `level ${value.toLowerCase()}`, value.toLowerCase())) }
      } else {
        cell.textContent = value
        cell.title = value
      }
      row.append(cell)
    })
    if (!record.href) { tbody.append(row); continue }
    row.classList.add("linked")
    row.addEventListener("click", (event) => {
      if (event.target.closest("a, .choice") || window.getSelection().toString()) { return }
      if (event.ctrlKey || event.metaKey) { window.open(record.href, "_blank") } else { window.location.assign(record.href) }
    })
    tbody.append(row)
  }
  return tbody
}

export function render({model, el}) {
  const frame = make("div", "frame")
  const draw = () => {
    // Whoever walks by keyboard stays at the row, wherever it is now.
    const focused = frame.getRootNode().activeElement?.getAttribute?.("href")
    const table = make("table")
    table.append(make("caption", "", model.caption), head(model), body(model))
    const empty = make("p", "empty", model.empty)
    frame.replaceChildren(...(model.rows.length || model.is_busy ? [table] : [table, empty]))
    frame.classList.toggle("busy", model.is_busy)
    if (focused) { [...frame.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus() }
  }
  el.append(frame)
  draw()
  model.on(["rows", "columns", "sort", "order", "selected", "hidden"], draw)
  model.on("is_busy", () => { if (model.rows.length) { frame.classList.toggle("busy", model.is_busy) } else { draw() } })
}
