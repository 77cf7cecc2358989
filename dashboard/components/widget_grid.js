// Widgets on a grid of twelve columns. While it is edited each is moved and resized by its handles, with the pointer or
// the arrow keys; what stands in the way moves down, and everything moves up as far as it can.

const COLUMNS = 12
const LEAST = 2
const GAP = 14
const ROW = 76
const SAY_AFTER = 500

function make(tag, className, text) {
  const node = document.createElement(tag)
  if (className) { node.className = className }
  if (text !== undefined) { node.textContent = text }
  return node
}

function collides(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

// The first of two that want the same row is the one that was moved.
function settled(items, movedId) {
  const order = [...items].sort((a, b) => a.y - b.y || (b.id === movedId) - (a.id === movedId) || a.x - b.x)
  const placed = []
  for (const item of order) {
    const free = (y) => !placed.some((other) => collides({...item, y}, other))
    let y = item.y
    while (!free(y)) { y += 1 }
    while (y > 0 && free(y - 1)) { y -= 1 }
    placed.push({...item, y})
  }
  return placed
}

function within(item) {
  const width = Math.min(COLUMNS, Math.max(LEAST, item.width))
  const x = Math.min(COLUMNS - width, Math.max(0, item.x))
  return {...item, width, x, y: Math.max(0, item.y), height: Math.max(LEAST, item.height)}
}

function handle(className, label, icon) {
  const button = make("button", `handle ${className}`, icon)
  button.type = "button"
  button.setAttribute("aria-label", label)
  button.title = `${label}: drag, or use the arrow keys`
  return button
}

class Grid {
  constructor(model, el) {
    this.model = model
    this.items = settled(model.items.map(within), "")
    this.root = make("div", "grid")
    this.said = make("p", "said")
    this.said.setAttribute("role", "status")
    this.cells = new Map()
    const children = model.get_child("objects")
    const order = model.items.map((item, index) => [item, children[index]])
    order.sort(([a], [b]) => a.y - b.y || a.x - b.x)
    for (const [item, child] of order) { this.root.append(this.cell(item, child)) }
    el.append(this.root, this.said)
    this.place()
  }

  cell(item, child) {
    const cell = make("section", "cell")
    cell.setAttribute("aria-label", item.title)
    const head = make("header")
    const title = make("h3", "title", item.title)
    title.title = item.note || item.title
    head.append(title)
    if (this.model.is_editable) {
      this.root.classList.add("editable")
      const move = handle("move", `Move ${item.title}`, "drag_indicator")
      const size = handle("size", `Resize ${item.title}`, "south_east")
      this.follow(move, item.id, (from, dx, dy) => ({x: from.x + dx, y: from.y + dy}))
      this.follow(size, item.id, (from, dx, dy) => ({width: from.width + dx, height: from.height + dy}))
      head.prepend(move)
      head.append(this.link(item), this.remover(item))
      cell.append(size)
    }
    const body = make("div", "body")
    body.append(child)
    cell.prepend(head, body)
    this.cells.set(item.id, cell)
    return cell
  }

  link(item) {
    const link = make("a", "tool", "edit")
    link.href = item.href
    link.setAttribute("aria-label", `Edit ${item.title}`)
    link.title = "Edit"
    return link
  }

  remover(item) {
    const button = make("button", "tool", "close")
    button.type = "button"
    button.setAttribute("aria-label", `Remove ${item.title}`)
    button.title = "Remove from this dashboard"
    button.addEventListener("click", () => this.model.send_msg({remove: item.id}))
    return button
  }

  of(id) { return this.items.find((item) => item.id === id) }

  place() {
    for (const {id, x, y, width, height} of this.items) {
      const cell = this.cells.get(id)
      cell.style.gridColumn = `${x + 1} / span ${width}`
      cell.style.gridRow = `${y + 1} / span ${height}`
    }
  }

  // `from` are the items before the change, so that what was pushed away comes back when the pointer does.
  change(id, from, changed) {
    const wanted = from.map((item) => (item.id === id ? within({...item, ...changed}) : item))
    this.items = settled(wanted, id)
    this.place()
  }

  tell(id) {
    const {title, x, y, width, height} = this.of(id)
    this.said.textContent = `${title}: column ${x + 1}, row ${y + 1}, ${width} wide, ${height} high`
    clearTimeout(this.waiting)
    this.waiting = setTimeout(() => {
      this.model.send_msg({layout: this.items.map(({id, x, y, width, height}) => ({id, x, y, width, height}))})
    }, SAY_AFTER)
  }

  follow(button, id, changed) {
    button.addEventListener("keydown", (event) => {
      const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key]
      if (!step) { return }
      event.preventDefault()
      this.change(id, this.items, changed(this.of(id), ...step))
      this.tell(id)
    })
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) { return }
      event.preventDefault()
      button.focus()
      button.setPointerCapture(event.pointerId)
      const before = this.items
      const from = this.of(id)
      const cell = this.cells.get(id)
      const column = (this.root.clientWidth + GAP) / COLUMNS
      cell.classList.add("held")
      const moved = ({clientX, clientY}) => {
        const dx = Math.round((clientX - event.clientX) / column)
        const dy = Math.round((clientY - event.clientY) / (ROW + GAP))
        this.change(id, before, changed(from, dx, dy))
      }
      const end = (last) => {
        button.removeEventListener("pointermove", moved)
        button.removeEventListener("pointerup", end)
        button.removeEventListener("pointercancel", end)
        cell.classList.remove("held")
        if (last.type === "pointercancel") { this.items = before; this.place() } else { this.tell(id) }
      }
      button.addEventListener("pointermove", moved)
      button.addEventListener("pointerup", end)
      button.addEventListener("pointercancel", end)
    })
  }
}

export function render({model, el}) {
  new Grid(model, el)
}
