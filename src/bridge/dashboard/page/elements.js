/**
 * Elements of the page. Text of engines reaches the page as text nodes only, with the characters that act made visible.
 */

const acting = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** A text on one line, at most `most` characters, controls as \u{1b}. */
export function plain(value, most = 1024) {
  const text = String(value ?? '');
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return cut.replace(acting, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}

export const byId = (id) => document.getElementById(id);

/** element('td', { class: 'number', role: 'cell' }, 'text', child) */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Writes text where it differs, so that a page without news changes nothing. */
export function setText(node, text) {
  const next = plain(text);
  if (node.textContent !== next) node.textContent = next;
}

export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

export function setHidden(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

/** Children by key: those that stay keep their element, and with it the focus. */
export class KeyedChildren {
  #parent;
  #create;
  #update;
  #children = new Map();

  /** create(item) makes the parts of a child, among them its `root`; update(parts, item) writes them. */
  constructor(parent, create, update) {
    this.#parent = parent;
    this.#create = create;
    this.#update = update;
  }

  show(items, keyOf) {
    const keys = new Set(items.map(keyOf));
    for (const [key, { root }] of this.#children) {
      if (keys.has(key)) continue;
      root.remove();
      this.#children.delete(key);
    }
    let before = null;
    for (const item of items) {
      const key = keyOf(item);
      let parts = this.#children.get(key);
      if (parts === undefined) {
        parts = this.#create(item);
        this.#children.set(key, parts);
      }
      const place = before === null ? this.#parent.firstElementChild : before.nextElementSibling;
      if (place !== parts.root) this.#parent.insertBefore(parts.root, place);
      before = parts.root;
      this.#update(parts, item);
    }
  }
}

/** A chip: a mark and a word, coloured by its tone. */
export function chip() {
  const word = element('span');
  const root = element('span', { class: 'chip' }, element('span', { class: 'mark', 'aria-hidden': 'true' }), word);
  return { root, word };
}

export function showChip({ root, word }, tone, text) {
  setAttribute(root, 'data-tone', tone);
  setText(word, text);
}
