/** How engines are found while the bridge runs: a file, a name of the DNS. */
export type { Discovery } from './discovery.js';
export { DnsEngines, KEEP_MS, RESOLVE_MS, type Resolve, systemResolve } from './dns-engines.js';
export { EnginesFile, parseTargets, type Target } from './engines-file.js';
