import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { asInRepository } from './markdown.mjs'
import { sidebar, slug } from './pages.mjs'

const repository = 'https://github.com/crosshull/crosshull'

export default defineConfig({
  title: 'crosshull',
  description: 'Multi-platform .NET images out of a small crosshull.yaml, with plain docker buildx build',
  lang: 'en-US',
  head: [
    // A data URL, so that no browser asks for a file that is not there.
    ['link', { rel: 'icon', href: 'data:,' }],
    // Pictures with colors for light and dark follow the switch of the page, and not the system.
    ['style', {}, 'html:not(.dark) { color-scheme: light }'],
  ],

  // The pages are read where they are, and nothing else of the repository is.
  srcDir: '..',
  srcExclude: ['!(docs)/**/*', '!(README).md'],
  rewrites: { 'README.md': 'index.md', 'docs/:page*': ':page*' },
  outDir: '../dist/site',
  ignoreDeadLinks: 'localhostLinks',

  vite: { plugins: [packagesOfPages()] },

  markdown: {
    // The same anchors as on GitHub, so that a link works in both places.
    anchor: { slugify: slug },
    attrs: { disable: true },
    config: (md) => asInRepository(md, repository),
  },

  themeConfig: {
    sidebar: sidebar(),
    outline: [2, 3],
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: repository }],
    editLink: { pattern: `${repository}/edit/main/:path`, text: 'Edit this page' },
  },
})

// packagesOfPages finds for the pages, which are outside of this folder, the packages that are in it.
function packagesOfPages() {
  const here = fileURLToPath(import.meta.url)
  return {
    name: 'packages-of-pages',
    enforce: 'pre',
    resolveId(id, importer) {
      if (importer?.endsWith('.md') && /^vue($|\/)/.test(id)) {
        return this.resolve(id, here, { skipSelf: true })
      }
    },
  }
}
