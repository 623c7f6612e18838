/** Files that may change while the bridge runs. */
export { FileWatch, POLL_MS } from './file-watch.js';
