/** Random numbers of plain TypeScript rooms: the same generator as the native one. */
export { RandomNumbers, type RandomPurpose } from './random-numbers.js';
