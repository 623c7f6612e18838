/** Messages with the states of a network, as the bytes of their JSON. */
import { f32JsonBytes, writeF32Json } from '../../native/index.js';

interface WithFeatures {
  features: { endState: (number | null)[]; meanState: (number | null)[]; differentials?: number[] };
  context?: object;
}

/** Of the contexts of the last results, which many share. */
const contextTexts = new WeakMap<object, string>();

/** Where messages are written; an answer is a copy of its part. */
let room = Buffer.alloc(0);

/**
 * The message as JSON, its states as f32 in their shortest form: they are computed in f32, and as doubles their text is twice as
 * long and takes a quarter of the time of the event loop. As strings, what is put together is allocated ten times over.
 */
export function bytesWithFeatures<Message extends WithFeatures>(message: Message): Buffer {
  const { features, context, ...rest } = message;
  const { endState, meanState, ...others } = features;
  const fields = fieldsOf(JSON.stringify(rest));
  const contextField = context === undefined ? '' : `"context":${contextText(context)},`;
  const otherFields = fieldsOf(JSON.stringify(others));
  const textBytes = 3 * (fields.length + contextField.length + otherFields.length) + NAMES_BYTES;
  const most = textBytes + f32JsonBytes(endState.length) + f32JsonBytes(meanState.length);
  if (room.length < most) room = Buffer.allocUnsafeSlow(most);
  let at = 0;
  const write = (text: string) => {
    at += room.write(text, at);
  };
  write('{');
  write(fields);
  write(contextField);
  write('"features":{');
  write(otherFields);
  write('"endState":');
  at = writeF32Json(endState, room, at);
  write(',"meanState":');
  at = writeF32Json(meanState, room, at);
  write('}}');
  return Buffer.from(room.subarray(0, at));
}

/** Of the names and brackets that are written here. */
const NAMES_BYTES = 64;

/** The fields of an object as JSON, each with a comma after it. */
function fieldsOf(json: string): string {
  return json === '{}' ? '' : `${json.slice(1, -1)},`;
}

function contextText(context: object): string {
  let text = contextTexts.get(context);
  if (text === undefined) {
    text = JSON.stringify(context);
    contextTexts.set(context, text);
  }
  return text;
}
