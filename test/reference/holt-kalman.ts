/** Holt's trend and Kalman's filter of level and trend, written with matrices and without shortcuts. */

export function holtReference(values: readonly number[], alpha: number, beta: number, ahead: number): number[] {
  const out: number[] = [];
  let state = { level: values[0]!, trend: 0 };
  for (const y of values) {
    const level = alpha * y + (1 - alpha) * (state.level + state.trend);
    state = { level, trend: beta * (level - state.level) + (1 - beta) * state.trend };
    out.push(state.level + ahead * state.trend);
  }
  return out;
}

type Matrix2 = [[number, number], [number, number]];

const product = (a: Matrix2, b: Matrix2): Matrix2 =>
  a.map((row) => [0, 1].map((j) => row[0] * b[0][j]! + row[1] * b[1][j]!)) as Matrix2;

export function kalmanReference(values: readonly number[], q: number, r: number, ahead: number): number[] {
  const f: Matrix2 = [
    [1, 1],
    [0, 1],
  ];
  const transposed: Matrix2 = [
    [1, 0],
    [1, 1],
  ];
  let x: [number, number] = [values[0]!, 0];
  let p: Matrix2 = [
    [1, 0],
    [0, 1],
  ];
  return values.map((y) => {
    x = [f[0][0] * x[0] + f[0][1] * x[1], f[1][0] * x[0] + f[1][1] * x[1]];
    p = product(product(f, p), transposed);
    p[0][0] += q;
    p[1][1] += q;
    const innovation = y - x[0];
    const gain = [p[0][0] / (p[0][0] + r), p[1][0] / (p[0][0] + r)] as const;
    x = [x[0] + gain[0] * innovation, x[1] + gain[1] * innovation];
    p = product(
      [
        [1 - gain[0], 0],
        [-gain[1], 1],
      ],
      p,
    );
    return x[0] + ahead * x[1];
  });
}
