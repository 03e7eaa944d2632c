import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { docs, root } from './pages.mjs'

const home = path.join(root, 'README.md')

// asInRepository renders pages as the repository shows them.
//
// Relative links are meant for the repository. They become links of the site, or, if they lead to what is no page of
// it, links to the repository. A link to a file that does not exist is an error. Vue does not evaluate {{ }}.
export function asInRepository(md, repository) {
  md.core.ruler.push('as-in-repository', (state) => {
    const page = source(state.env)
    for (const token of state.tokens) {
      // The theme has no style for code that is only indented.
      if (token.type === 'code_block') Object.assign(token, { type: 'fence', tag: 'code', info: 'text', markup: '```' })
    }
    for (const token of state.tokens.flatMap((block) => block.children ?? [])) {
      if (token.type === 'code_inline') {
        token.attrSet('v-pre', '')
        // A browser breaks an option after its dashes.
        if (/^-.{1,20}$/.test(token.content)) token.attrSet('style', 'white-space: nowrap')
      }
      const href = token.type === 'link_open' ? token.attrGet('href') : null
      if (href && !/^([a-z]+:|#|\/)/i.test(href)) token.attrSet('href', target(page, href, repository))
    }
  })
  const { text } = md.renderer.rules
  md.renderer.rules.text = (...args) => text(...args).replaceAll('{{', '&#123;&#123;')
}

// source is the file of a page. VitePress gives the path that it renames the page to, unless it tells both.
function source(env) {
  return env.realPath ?? env.path
}

function target(page, href, repository) {
  const [, name, anchor] = /^([^#]*)(#.*)?$/.exec(href)
  const file = path.resolve(path.dirname(page), decodeURI(name))
  const inRepository = path.relative(root, file)
  if (inRepository.startsWith('..') || !existsSync(file)) {
    throw new Error(`${path.relative(root, page)}: dead link ${href}`)
  }
  if (file === home) {
    return '/' + (anchor ?? '')
  }
  const inDocs = path.relative(docs, file)
  if (inDocs.endsWith('.md') && !inDocs.startsWith('..')) {
    return '/' + encodeURI(inDocs) + (anchor ?? '')
  }
  const kind = statSync(file).isDirectory() ? 'tree' : 'blob'
  return `${repository}/${kind}/main/${encodeURI(inRepository)}${anchor ?? ''}`
}
