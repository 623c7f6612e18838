/**
 * Labels as Prometheus' text format writes them: `{name="value",...}`, and nothing where there are none. Backslash, quote and
 * line feed of a value are escaped, so two label sets with the same names are equal exactly when their texts are.
 */
export function labelText(
  labels: Readonly<Record<string, string>>,
  /** In the order of the text. */
  names: readonly string[] = Object.keys(labels).sort(),
): string {
  if (names.length === 0) return '';
  return `{${names.map((name) => `${name}="${escapeLabel(labels[name]!)}"`).join(',')}}`;
}

function escapeLabel(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}
