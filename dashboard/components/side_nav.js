// The sections of the product, at the left of every page. Text is only ever set as text, never as markup.

const SECTIONS = [
  ["/", "Overview", "monitoring"], ["/traces", "Traces", "account_tree"], ["/observations", "Observations", "segment"], ["/sessions", "Sessions", "forum"],
  ["/users", "Users", "group"], ["/scores", "Scores", "leaderboard"], ["/prompts", "Prompts", "article"],
  ["/playground", "Playground", "science"], ["/datasets", "Datasets", "dataset"], ["/evaluators", "Evaluation", "fact_check"], ["/annotation", "Annotation", "rate_review"],
  ["/dashboards", "Dashboards", "dashboard"], ["/settings", "Settings", "settings"],
]
// Pages of one thing belong to the section that lists them.
const PARENTS = {"/trace": "/traces", "/session": "/sessions", "/score-analytics": "/scores", "/prompt": "/prompts", "/dataset": "/datasets", "/evaluator": "/evaluators", "/rules": "/evaluators", "/rule": "/evaluators", "/runs": "/evaluators", "/run": "/evaluators", "/queue": "/annotation", "/labelling": "/annotation", "/dashboard": "/dashboards", "/operations": "/settings"}

export function render({model, el}) {
  const nav = document.createElement("nav")
  nav.setAttribute("aria-label", "Sections")
  const links = SECTIONS.map(([path, title, icon]) => {
    const link = document.createElement("a")
    const mark = document.createElement("span")
    mark.className = "icon"
    mark.textContent = icon
    mark.setAttribute("aria-hidden", "true")
    const text = document.createElement("span")
    text.className = "text"
    text.textContent = title
    link.append(mark, text)
    link.title = title
    if (path === (PARENTS[model.page] || model.page)) { link.setAttribute("aria-current", "page") }
    nav.append(link)
    return [link, path]
  })
  const show = () => { for (const [link, path] of links) { link.href = path + model.query } }
  show()
  el.append(nav)
  model.on("query", show)
}
