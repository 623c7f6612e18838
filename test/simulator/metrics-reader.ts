/** Reads single figures out of a /metrics body line by line: no parser of the package between a test and the text. */

/** name -> type of every `# TYPE` line. */
export function typesOf(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]));
}

let latest = { text: '', lines: [] as string[] };

/** The lines of a body; those of the last one are kept, for it is asked many times. */
function linesOf(text: string): string[] {
  if (text !== latest.text) latest = { text, lines: text.split('\n') };
  return latest.lines;
}

/** The value of the one sample of this name that has these labels; NaN when there is none. */
export function sampleOf(text: string, name: string, labels: Record<string, string> = {}): number {
  const found = linesOf(text).filter((line) => {
    const isSample = line.startsWith(`${name}{`) || line.startsWith(`${name} `);
    return isSample && Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`));
  });
  if (found.length > 1) throw new Error(`${found.length} samples of ${name} ${JSON.stringify(labels)}`);
  return Number(found[0]?.slice(found[0].lastIndexOf(' ') + 1) ?? Number.NaN);
}

/** Every sample of a counter or histogram of the engine, by its line without the value. */
export function countersOf(text: string): Map<string, number> {
  const counted = [...typesOf(text)].filter(([, type]) => type !== 'gauge').map(([name]) => name);
  const names = new Set(counted.flatMap((name) => [name, `${name}_bucket`, `${name}_count`, `${name}_sum`]));
  const lines = linesOf(text).filter((line) => names.has(line.split(/[{ ]/, 1)[0]!));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}
