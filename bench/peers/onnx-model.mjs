/**
 * The bytes of an ONNX model with one RNN operator: h' = tanh(R h + W u + b), whole series in one call.
 *
 * Source: onnx.proto3 for the field numbers; the ONNX operator RNN-14. Protocol buffers: a field is its number and wire
 * type, then a varint (0) or a length and bytes (2).
 */
const FLOAT = 1;
const INT_ATTRIBUTE = 2;

function varint(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}

const whole = (field, value) => Buffer.concat([varint(field * 8), varint(value)]);
function bytes(field, content) {
  const data = Buffer.from(content);
  return Buffer.concat([varint(field * 8 + 2), varint(data.length), data]);
}
const message = (field, ...parts) => bytes(field, Buffer.concat(parts));

const tensor = (name, dims, values) =>
  message(
    5,
    ...dims.map((dim) => whole(1, dim)),
    whole(2, FLOAT),
    bytes(8, name),
    bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  );

function valueInfo(field, name, dims) {
  const shape = message(2, ...dims.map((dim) => message(1, whole(1, dim))));
  return message(field, bytes(1, name), message(2, message(1, whole(1, FLOAT), shape)));
}

/** recurrent: units x units, row-major; input: units. Takes X (steps x series x 1) and start (1 x series x units). */
export function rnnModel({ units, series, steps, recurrent, input }) {
  const node = message(
    1,
    ...['X', 'W', 'R', 'B', '', 'start'].map((name) => bytes(1, name)),
    ...['', 'end'].map((name) => bytes(2, name)),
    bytes(4, 'RNN'),
    message(5, bytes(1, 'hidden_size'), whole(3, units), whole(20, INT_ATTRIBUTE)),
  );
  const graph = message(
    7,
    node,
    bytes(2, 'reservoir'),
    tensor('W', [1, units, 1], input),
    tensor('R', [1, units, units], recurrent),
    tensor('B', [1, 2 * units], new Float32Array(2 * units)),
    valueInfo(11, 'X', [steps, series, 1]),
    valueInfo(11, 'start', [1, series, units]),
    valueInfo(12, 'end', [1, series, units]),
  );
  return Buffer.concat([whole(1, 8), graph, message(8, bytes(1, ''), whole(2, 14))]);
}
