import type { PickPolicy } from '../../src/outlook/index.js';

export function fleet01(): PickPolicy;
