/** The timers that are set and neither cleared nor over, from when the watch begins. */
import { vi } from 'vitest';

export function watchTimers(): { readonly open: number; end(): void } {
  const open = new Set<unknown>();
  const { setTimeout, clearTimeout } = globalThis;
  const set = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((call: () => void, ms?: number) => {
    const timer = setTimeout(() => {
      open.delete(timer);
      call();
    }, ms);
    open.add(timer);
    return timer;
  }) as typeof setTimeout);
  const clear = vi.spyOn(globalThis, 'clearTimeout').mockImplementation((timer) => {
    open.delete(timer);
    clearTimeout(timer);
  });
  return {
    get open() {
      return open.size;
    },
    end() {
      set.mockRestore();
      clear.mockRestore();
    },
  };
}
