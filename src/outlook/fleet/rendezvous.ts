/**
 * Rendezvous hashing: of the engines that are there the one whose hash with the session is highest. When engines come and go
 * only their own sessions move. Source: Thaler & Ravishankar (1998), "Using name-based mappings to increase hit rates".
 */
export function owner<T>(candidates: readonly T[], session: string, labelOf: (candidate: T) => string): T {
  const weight = (candidate: T) => hash(`${session}\n${labelOf(candidate)}`);
  return candidates.reduce((a, b) => (weight(b) > weight(a) ? b : a));
}

/** FNV-1a with the finaliser of MurmurHash3: its high bits depend on every character. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
