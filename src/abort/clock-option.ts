/** The option `clock` of everything that waits: the system's monotonic clock when left out. */
import { z } from 'zod';
import { type Clock, systemClock } from './clock.js';

export const clockOption = z
  .custom<Clock>((value) => {
    const { now, after } = (value ?? {}) as Partial<Clock>;
    return typeof now === 'function' && typeof after === 'function';
  })
  .default(() => systemClock)
  .describe('a Clock { now, after }');
