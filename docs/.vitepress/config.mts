/**
 * The documentation site: the markdown files of the repository as they are on GitHub, and the API reference that TypeDoc makes.
 * `npm run docs` (scripts/build-docs.mjs) brings both to docs/.site, under their paths in the repository, and builds the site into
 * docs/.vitepress/dist.
 *
 * DOCS_BASE is the path that the site is served under ('/' by default). GITHUB_SERVER_URL, GITHUB_REPOSITORY and GITHUB_SHA, which
 * GitHub Actions sets, make links to sources lead to GitHub; without them such links are plain text.
 */
import { defineConfig } from 'vitepress';
import { adaptMarkdown } from './adapt-markdown.mjs';
import { apiSidebar, pageGroups } from './navigation.mjs';

const { DOCS_BASE = '/', GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_SHA } = process.env;
const repository = GITHUB_REPOSITORY === undefined ? null : `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`;

export default defineConfig({
  title: 'dtesn',
  description: 'Reservoir computing and Deep Tree Echo State Networks for Node',
  lang: 'en',
  base: DOCS_BASE,
  srcDir: '.site',
  rewrites: {
    'README.md': 'index.md',
    'docs/README.md': 'docs/index.md',
    'deploy/README.md': 'deploy/index.md',
    'native/simd/README.md': 'native/simd/index.md',
  },
  cleanUrls: false,
  lastUpdated: false,
  markdown: { config: (markdown) => adaptMarkdown(markdown, { repository, commit: GITHUB_SHA ?? 'HEAD' }) },
  vite: { build: { chunkSizeWarningLimit: 4000 } },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/docs/', activeMatch: '^/docs/(?!api/)' },
      { text: 'API reference', link: '/docs/api/', activeMatch: '^/docs/api/' },
      { text: 'Troubleshooting', link: '/docs/troubleshooting' },
      { text: 'Changelog', link: '/CHANGELOG' },
    ],
    sidebar: { '/docs/api/': apiSidebar(), '/': pageGroups() },
    outline: [2, 3],
    search: { provider: 'local', options: { detailedView: true } },
    ...(repository !== null && { socialLinks: [{ icon: 'github', link: repository }] }),
  },
});
