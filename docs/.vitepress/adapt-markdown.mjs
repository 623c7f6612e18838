/**
 * What the site changes of the markdown that GitHub shows as it is.
 *
 * Links of a page to what is no page of the site, such as `src/` or `test/x.ts`, lead to GitHub where the repository is known, else they
 * are text. Links to a README.md lead to the index page of its folder. Indented blocks, the formulas of docstrings, are shown as fenced
 * blocks of text, which scroll.
 */
const pages = /\.md(#.*)?$/;
const elsewhere = /^([a-z]+:|#|\/)/;

export function adaptMarkdown(markdown, { repository, commit }) {
  markdown.core.ruler.push('indented-blocks', (state) => {
    for (const token of state.tokens) {
      if (token.type === 'code_block')
        Object.assign(token, { type: 'fence', tag: 'code', info: 'text', markup: '```' });
    }
  });
  markdown.core.ruler.push('source-links', (state) => {
    const folder = (state.env.relativePath ?? '').split('/').slice(0, -1);
    for (const { children } of state.tokens) if (children !== null) rewrite(children, { folder, repository, commit });
  });
}

function rewrite(tokens, { folder, repository, commit }) {
  const open = [];
  for (const token of tokens) {
    if (token.type === 'link_open') {
      const href = token.attrGet('href') ?? '';
      open.push(token);
      if (elsewhere.test(href)) continue;
      if (pages.test(href)) token.attrSet('href', href.replace(/(^|\/)README\.md/, '$1index.md'));
      else if (repository === null) plain(token);
      else token.attrSet('href', `${repository}/tree/${commit}/${resolved(folder, href)}`);
    } else if (token.type === 'link_close') {
      if (open.pop()?.tag === 'span') plain(token);
    }
  }
}

/** A link that leads nowhere is its text. */
function plain(token) {
  token.type = token.type === 'link_open' ? 'span_open' : 'span_close';
  token.tag = 'span';
  token.attrs = null;
}

function resolved(folder, href) {
  const parts = [...folder];
  for (const part of href.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}
