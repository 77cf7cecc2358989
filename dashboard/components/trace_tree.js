// The observations of a trace as a tree with a timeline beside it. Only the rows in sight are in the page, so that
// thousands stay fast. Text is only ever set as text.

const ROW = 34
const MARGIN = 12

function make(tag, className, text) {
  const node = document.createElement(tag)
  if (className) { node.className = className }
  if (text !== undefined) { node.textContent = text }
  return node
}

// Rows come by column, depth first; a folded one hides the deeper ones that follow it. Returns the places of the others.
function visible({columns}, folded) {
  const shown = []
  let below = Infinity
  columns.id.forEach((id, place) => {
    const depth = columns.depth[place]
    if (depth > below) { return }
    below = folded.has(id) ? depth : Infinity
    shown.push(place)
  })
  return shown
}

function rowAt({columns, looks}, place) {
  const row = Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[place]]))
  const [icon, colour] = looks[row.type] || looks.SPAN
  return {...row, icon, colour}
}

function line(row, state) {
  const {model, folded} = state
  const item = make("div", "row")
  item.setAttribute("role", "treeitem")
  item.setAttribute("aria-level", row.depth + 1)
  item.setAttribute("aria-selected", row.id === model.selected)
  item.id = `row-${row.id}`
  const name = make("div", "name")
  name.style.paddingLeft = `${8 + Math.min(row.depth, 14) * 16}px`
  const fold = make("span", "fold", row.children ? (folded.has(row.id) ? "chevron_right" : "expand_more") : "")
  if (row.children) {
    item.setAttribute("aria-expanded", !folded.has(row.id))
    fold.addEventListener("click", (event) => { event.stopPropagation(); state.toggle(row) })
  }
  const icon = make("span", "icon", row.icon)
  icon.style.color = row.colour
  icon.title = row.type.toLowerCase()
  const title = make("span", "title", row.name)
  title.title = row.name
  name.append(fold, icon, title)
  if (row.level === "ERROR" || row.level === "WARNING") { name.append(make("span", `level ${row.level.toLowerCase()}`, row.level.toLowerCase())) }
  const track = make("div", "track")
  const bar = make("div", "time")
  bar.style.left = `${row.left * 100}%`
  bar.style.width = `${Math.max(row.width * 100, 0.3)}%`
  bar.style.background = row.colour
  const text = make("span", `length ${row.left + row.width > 0.8 ? "before" : ""}`, row.duration)
  text.style[row.left + row.width > 0.8 ? "right" : "left"] = row.left + row.width > 0.8 ? `calc(${(1 - row.left) * 100}% + 6px)` : `calc(${(row.left + row.width) * 100}% + 6px)`
  if (row.left + row.width > 0.8 && row.left < 0.2) { text.style.right = "6px"; text.classList.add("inside") }
  track.append(bar, text)
  item.append(name, make("div", "number", row.tokens), make("div", "number", row.cost), track)
  item.addEventListener("click", () => state.select(row))
  return item
}

export function render({model, el}) {
  const folded = new Set()
  const frame = make("div", "frame")
  const header = make("div", "row header")
  header.append(make("div", "name", "Observation"), make("div", "number", "Tokens"), make("div", "number", "Cost"), make("div", "track", ""))
  const end = make("span", "end", model.duration)
  header.lastChild.append(make("span", "", "0"), end)
  const scroller = make("div", "scroller")
  scroller.tabIndex = 0
  scroller.setAttribute("role", "tree")
  scroller.setAttribute("aria-label", "Observations")
  const space = make("div", "space")
  scroller.append(space)
  frame.append(header, scroller)
  el.append(frame)

  let tree = {columns: {id: []}, looks: {}}
  let shown = []
  const draw = () => {
    const first = Math.max(0, Math.floor(scroller.scrollTop / ROW) - MARGIN)
    const last = Math.min(shown.length, Math.ceil((scroller.scrollTop + (scroller.clientHeight || 600)) / ROW) + MARGIN)
    const rows = shown.slice(first, last).map((place, index) => {
      const item = line(rowAt(tree, place), state)
      item.style.top = `${(first + index) * ROW}px`
      return item
    })
    space.replaceChildren(...rows)
    scroller.setAttribute("aria-activedescendant", `row-${model.selected}`)
  }
  const refresh = () => {
    shown = visible(tree, folded)
    space.style.height = `${shown.length * ROW}px`
    end.textContent = model.duration
    draw()
  }
  const state = {
    model, folded,
    select(row) { model.selected = row.id; draw() },
    toggle(row) {
      if (folded.has(row.id)) { folded.delete(row.id) } else { folded.add(row.id) }
      refresh()
    },
  }
  const selectedAt = () => shown.findIndex((place) => tree.columns.id[place] === model.selected)
  const receive = () => {
    tree = model.tree ? JSON.parse(model.tree) : {columns: {id: []}, looks: {}}
    folded.clear()
    refresh()
    reveal(Math.max(0, selectedAt()))
  }
  const reveal = (index) => {
    const top = index * ROW
    if (top < scroller.scrollTop) { scroller.scrollTop = top }
    if (top + ROW > scroller.scrollTop + scroller.clientHeight) { scroller.scrollTop = top + ROW - scroller.clientHeight }
  }
  scroller.addEventListener("scroll", () => requestAnimationFrame(draw))
  scroller.addEventListener("keydown", (event) => {
    const at = selectedAt()
    const row = at >= 0 ? rowAt(tree, shown[at]) : null
    const moves = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1}
    if (event.key in moves) {
      const to = Math.max(0, Math.min(shown.length - 1, moves[event.key]))
      state.select(rowAt(tree, shown[to]))
      reveal(to)
    } else if (row && row.children && ((event.key === "ArrowLeft" && !folded.has(row.id)) || (event.key === "ArrowRight" && folded.has(row.id)))) {
      state.toggle(row)
    } else { return }
    event.preventDefault()
  })
  model.on("tree", receive)
  model.on("duration", refresh)
  model.on("selected", () => { draw(); reveal(Math.max(0, selectedAt())) })
  new ResizeObserver(draw).observe(scroller)
  receive()
}
