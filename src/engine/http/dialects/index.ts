/** What the kinds of engines say differently over HTTP, one a file. */
export type { Dialect } from './dialect.js';
export { llamaCpp } from './llama-cpp.js';
export { ollama } from './ollama.js';
export { sglang } from './sglang.js';
export { tgi } from './tgi.js';
export { aphrodite, vllm } from './vllm.js';
