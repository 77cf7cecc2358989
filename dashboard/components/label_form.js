// What one person says of one item, driven by the keyboard alone. Text is only ever set as text, never as markup.

const KEYS = [
  ["1 – 9", "choose the category"], ["y / n", "yes or no"], ["↑ / ↓", "the score before or after"], ["Enter", "write a number or a text; done and next"],
  ["→ / ←", "next or previous item"], ["s", "skip this item"], ["Backspace", "take the answer back"], ["c", "comment"], ["o", "correct the output"],
  ["Esc", "leave a text"], ["Ctrl Enter", "keep a text"], ["?", "show these keys"],
]
const WRITTEN = ["NUMERIC", "TEXT"]

function make(tag, className, text) {
  const node = document.createElement(tag)
  if (className) { node.className = className }
  if (text !== undefined) { node.textContent = text }
  return node
}

function button(className, text, act, key) {
  const node = make("button", className, text)
  node.type = "button"
  if (key) { node.append(make("kbd", "", key)) }
  node.addEventListener("click", act)
  return node
}

// The choices of a field: their label, the value that is sent, the key that chooses them.
function choices(field) {
  if (field.type === "BOOLEAN") { return [["Yes", 1, "y"], ["No", 0, "n"]] }
  return field.categories.map((label, at) => [label, label, at < 9 ? String(at + 1) : ""])
}

function chosen(field, state) {
  const group = make("div", "choices")
  group.setAttribute("role", "radiogroup")
  group.setAttribute("aria-label", field.title)
  for (const [label, value, key] of choices(field)) {
    const option = button("choice", label, () => state.answer(field, value), key)
    option.setAttribute("role", "radio")
    option.setAttribute("aria-checked", String(state.answers[field.id] === value))
    group.append(option)
  }
  return group
}

function written(field, state) {
  const isNumber = field.type === "NUMERIC"
  const input = make(isNumber ? "input" : "textarea", "written")
  if (isNumber) {
    input.type = "number"
    input.step = "any"
    if (field.min !== null) { input.min = field.min }
    if (field.max !== null) { input.max = field.max }
  } else { input.rows = 2; input.maxLength = 500 }
  input.setAttribute("aria-label", field.title)
  input.value = state.answers[field.id] ?? ""
  const keep = () => {
    const value = isNumber ? input.valueAsNumber : input.value.trim()
    if (value === "" || Number.isNaN(value) || value === state.answers[field.id]) { return }
    if (input.checkValidity()) { state.answer(field, value, false) } else { input.reportValidity() }
  }
  input.addEventListener("blur", keep)
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || (event.shiftKey && !isNumber)) { return }
    event.preventDefault()
    event.stopPropagation()
    keep()
    if (input.checkValidity()) { state.advance() }
  })
  return input
}

function fieldOf(field, state) {
  const box = make("section", "field")
  box.tabIndex = -1
  box.dataset.id = field.id
  box.setAttribute("aria-label", field.title)
  const head = make("div", "field-head")
  head.append(make("b", "", field.title), make("span", "quiet", field.hint))
  box.append(head)
  if (field.help) { box.append(make("p", "quiet", field.help)) }
  box.append(WRITTEN.includes(field.type) ? written(field, state) : chosen(field, state))
  box.addEventListener("focusin", () => state.enter(field, false))
  return box
}

function keyList() {
  const dialog = make("dialog", "keys")
  dialog.setAttribute("aria-label", "Keys")
  const list = make("dl")
  for (const [keys, meaning] of KEYS) { list.append(make("dt", "", keys), make("dd", "", meaning)) }
  dialog.append(make("h2", "", "Keys"), list, button("plain", "Close", () => dialog.close(), "Esc"))
  dialog.addEventListener("click", (event) => { if (event.target === dialog) { dialog.close() } })
  return dialog
}

// A text beside the scores: a comment, or what the output should have been.
function note(title, key, rows, keep) {
  const box = make("details", "note")
  const head = make("summary", "", title)
  head.append(make("kbd", "", key))
  const text = make("textarea", "written")
  text.rows = rows
  text.setAttribute("aria-label", title)
  const send = () => { if (text.value.trim()) { keep(text.value) } }
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); event.stopPropagation(); send() }
  })
  box.append(head, text)
  return {box, text, send, open() { box.open = true; text.focus() }}
}

function notes(model) {
  const comment = note("Comment", "c", 3, (text) => { model.send_msg({kind: "comment", text}); comment.text.value = ""; comment.text.blur() })
  const correction = note("Corrected output", "o", 6, (text) => { model.send_msg({kind: "correction", text, dataset: dataset.value}); correction.text.blur() })
  const dataset = make("select", "written")
  dataset.setAttribute("aria-label", "Dataset that gets the correction")
  const offer = () => {
    const none = make("option", "", "In no dataset")
    none.value = ""
    dataset.replaceChildren(none, ...model.datasets.map((name) => { const option = make("option", "", name); option.value = name; return option }))
  }
  offer()
  model.on("datasets", offer)
  comment.box.append(button("small", "Comment", comment.send))
  correction.box.append(dataset, button("small", "Keep the correction", correction.send))
  return {comment, correction}
}

export function render({model, el}) {
  const root = make("div", "label-form")
  const fields = make("div", "fields")
  const {comment, correction} = notes(model)
  const dialog = keyList()
  let active = 0

  const state = {
    answers: {},
    box(at) { return fields.children[at] },
    enter(field, isMoved = true) {
      active = model.fields.indexOf(field)
      for (const [at, box] of [...fields.children].entries()) { box.classList.toggle("active", at === active) }
      if (isMoved) { this.box(active)?.focus({preventScroll: false}) }
    },
    answer(field, value, advances = true) {
      this.answers = {...this.answers, [field.id]: value}
      model.send_msg({kind: "answer", item: model.item, config: field.id, value})
      if (WRITTEN.includes(field.type)) { return }
      this.redraw(field)
      if (advances) { this.advance() }
    },
    withdraw(field) {
      if (this.answers[field.id] === undefined) { return }
      delete this.answers[field.id]
      model.send_msg({kind: "withdraw", item: model.item, config: field.id})
      this.redraw(field)
      this.enter(field)
    },
    redraw(field) { this.box(model.fields.indexOf(field)).replaceWith(fieldOf(field, this)) },
    advance() {
      const left = model.fields.filter((field) => this.answers[field.id] === undefined)
      const after = left.find((field) => model.fields.indexOf(field) > active) || left[0]
      if (after) { this.enter(after) } else { fields.querySelector(":focus")?.blur(); this.enter(model.fields[active]) }
    },
  }
  const go = (kind) => {
    if (!model.item) { return }
    root.querySelector(":focus")?.blur()
    model.send_msg({kind, item: model.item})
  }
  const draw = () => {
    state.answers = {...model.answers}
    fields.replaceChildren(...model.fields.map((field) => fieldOf(field, state)))
    correction.text.value = model.correction
    comment.box.open = correction.box.open = false
    root.hidden = !model.item
    if (model.item && model.fields.length) { state.enter(model.fields.find((field) => state.answers[field.id] === undefined) || model.fields[0]) }
  }

  const typed = (event, field) => {
    const found = choices(field).find(([, , key]) => key === event.key.toLowerCase())
    if (found) { state.answer(field, found[1]); return true }
    return false
  }
  const yesOrNo = (key) => {
    const fitting = [model.fields[active], ...model.fields.filter((field) => state.answers[field.id] === undefined), ...model.fields]
    const field = fitting.find(({type}) => type === "BOOLEAN")
    if (!field) { return false }
    state.enter(field)
    state.answer(field, key === "y" ? 1 : 0)
    return true
  }
  const edit = (at) => { const input = state.box(at)?.querySelector(".written"); input?.focus(); return Boolean(input) }
  const actions = {
    ArrowDown: () => state.enter(model.fields[Math.min(active + 1, model.fields.length - 1)]),
    ArrowUp: () => state.enter(model.fields[Math.max(active - 1, 0)]),
    ArrowRight: () => go("next"), ArrowLeft: () => go("previous"), s: () => go("skip"),
    c: () => comment.open(), o: () => { if (model.is_corrigible) { correction.open() } },
    Backspace: () => state.withdraw(model.fields[active]),
    Enter: () => {
      const field = model.fields[active]
      if (WRITTEN.includes(field.type) && state.answers[field.id] === undefined) { edit(active) } else { go("complete") }
    },
    "?": () => dialog.showModal(),
  }
  const handle = (event) => {
    if (!el.isConnected) { document.removeEventListener("keydown", handle); return }
    const from = event.composedPath()[0]
    if (event.defaultPrevented || dialog.open) { return }
    if (!model.item) {
      // At the end there is a way back.
      if (event.key === "ArrowLeft" && !["INPUT", "TEXTAREA", "SELECT"].includes(from.tagName)) { model.send_msg({kind: "previous", item: ""}) }
      return
    }
    if (["INPUT", "TEXTAREA", "SELECT"].includes(from.tagName) || from.isContentEditable) {
      if (event.key === "Escape" && root.contains(from)) { from.blur(); state.enter(model.fields[active]) }
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey) { return }
    // A focused button or link keeps its own Enter.
    if (["Enter", " "].includes(event.key) && ["BUTTON", "A", "SUMMARY"].includes(from.tagName)) { return }
    const field = model.fields[active]
    const isTyped = field && !WRITTEN.includes(field.type) && typed(event, field)
    const isAnswer = isTyped || (["y", "n"].includes(event.key.toLowerCase()) && yesOrNo(event.key.toLowerCase()))
    if (isAnswer) { event.preventDefault(); return }
    if (field?.type === "NUMERIC" && /^[0-9.-]$/.test(event.key)) { edit(active); return }
    const act = actions[event.key]
    if (act) { event.preventDefault(); act() }
  }
  document.addEventListener("keydown", handle)

  const moves = make("div", "moves")
  moves.append(
    button("plain", "Previous", () => go("previous"), "←"), button("plain", "Skip", () => go("skip"), "s"),
    button("main", "Done, next", () => go("complete"), "⏎"), button("plain", "Keys", () => dialog.showModal(), "?"),
  )
  root.append(fields, moves, comment.box, correction.box)
  el.append(root, dialog)
  const allow = () => { correction.box.hidden = !model.is_corrigible }
  draw()
  allow()
  model.on(["item", "fields", "answers"], draw)
  model.on("is_corrigible", allow)
}
