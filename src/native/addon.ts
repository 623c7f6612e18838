/** The addon, loaded once a process. */
import { loadAddon } from './loader.js';

export const { addon, path: binary } = loadAddon();
