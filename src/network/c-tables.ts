/** Numbers and functions as C99 text. */

const COLUMNS = 110;

/** Numbers, apart by commas: those of f32 with nine digits, which name each of them, others with as many as they need. */
export function numbersOf(values: ArrayLike<number>): string {
  const isNarrow = values instanceof Float32Array;
  return Array.from(values, (value) => String(isNarrow ? Number(value.toPrecision(9)) : value)).join(', ');
}

/** A table of constants in lines of some width. */
export function table(type: string, name: string, values: ArrayLike<number>): string {
  const lines: string[] = [];
  let line = '';
  for (const number of numbersOf(values).split(', ')) {
    if (line.length + number.length + 2 > COLUMNS) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += `${number}, `;
  }
  const rest = line.trimEnd();
  return `static const ${type} ${name}[${values.length}] = {\n${[...lines, rest].map((one) => `  ${one}`).join('\n')}\n};`;
}

/** A function of these lines. */
export function cText(head: string, lines: readonly string[]): string {
  return `${head} {\n${lines.map((line) => `  ${line}`).join('\n')}\n}`;
}
