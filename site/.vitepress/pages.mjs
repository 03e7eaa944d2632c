import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const docs = path.join(root, 'docs')

// The folders of docs in the order of the sidebar, with their titles. Another folder comes after them, titled by its
// name, and the pages that are in no folder come last.
const folders = { migrate: 'Coming from', howto: 'How-to', reference: 'Reference', concepts: 'Concepts' }

// Pages that come first in their folder. The others follow by title.
const first = [
  'migrate/dockerfile.md',
  'migrate/publish-container.md',
  'howto/github-actions.md',
  'howto/gitlab.md',
  'howto/azure-pipelines.md',
  'reference/spec.md',
  'reference/publish-modes.md',
  'reference/options.md',
  'concepts/architecture.md',
  'troubleshooting.md',
  'faq.md',
]

// sidebar lists all pages: a new page needs no line here.
export function sidebar() {
  const entries = readdirSync(docs, { withFileTypes: true })
  const names = entries.filter((e) => e.isDirectory()).map((e) => e.name)
  const known = Object.keys(folders).filter((name) => names.includes(name))
  const others = names.filter((name) => !(name in folders)).sort()
  const tutorial = ['quickstart.md']
  const more = pages('').filter((page) => !tutorial.includes(page))
  return [
    { text: 'Tutorial', items: tutorial.map(item) },
    ...[...known, ...others].map((name) => ({ text: folders[name] ?? name, items: pages(name).map(item) })),
    { text: 'More', items: more.map(item) },
  ].filter((group) => group.items.length > 0)
}

// pages gives the pages in a folder of docs, in their order.
function pages(folder) {
  const names = readdirSync(path.join(docs, folder)).filter((name) => name.endsWith('.md'))
  const rank = (name) => (first.includes(name) ? first.indexOf(name) : first.length)
  return names
    .map((name) => path.posix.join(folder, name))
    .sort((a, b) => rank(a) - rank(b) || title(a).localeCompare(title(b)))
}

function item(page) {
  // VitePress takes the text as HTML.
  const text = title(page).replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return { text, link: '/' + page.replace(/\.md$/, '') }
}

// title is the first heading of a page, without the marks of code.
function title(page) {
  const heading = /^# +(.+)$/m.exec(readFileSync(path.join(docs, page), 'utf8'))
  if (!heading) throw new Error(`docs/${page} has no heading`)
  return heading[1].replaceAll('`', '').trim()
}

// slug gives the anchor of a heading as GitHub does.
export function slug(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-')
}
