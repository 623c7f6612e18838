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
  const restText = JSON.stringify(rest);
  const othersText = JSON.stringify(others);
  const ofContext = context === undefined ? '' : contextText(context);
  const textBytes = 3 * (restText.length + ofContext.length + othersText.length) + NAMES_BYTES;
  const most = textBytes + f32JsonBytes(endState.length) + f32JsonBytes(meanState.length);
  if (room.length < most) room = Buffer.allocUnsafeSlow(most);
  let at = writeOpen(restText, 0);
  if (ofContext !== '') at = write(',', write(ofContext, write('"context":', at)));
  at = writeOpen(othersText, write('"features":', at));
  at = writeF32Json(endState, room, write('"endState":', at));
  at = writeF32Json(meanState, room, write(',"meanState":', at));
  return Buffer.from(room.subarray(0, write('}}', at)));
}

/** Of the names and brackets that are written here. */
const NAMES_BYTES = 64;

function write(text: string, at: number): number {
  return at + room.write(text, at);
}

/** An object as JSON, to which fields follow: with a comma in the place of its closing brace. */
function writeOpen(json: string, at: number): number {
  const brace = write(json, at) - 1;
  return json === '{}' ? brace : write(',', brace);
}

function contextText(context: object): string {
  let text = contextTexts.get(context);
  if (text === undefined) {
    text = JSON.stringify(context);
    contextTexts.set(context, text);
  }
  return text;
}
