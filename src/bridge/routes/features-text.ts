/** Messages with the states of a network, as JSON. */
import { f32Json } from '../../native/index.js';

interface WithFeatures {
  features: { endState: (number | null)[]; meanState: (number | null)[]; differentials?: number[] };
  context?: object;
}

/** Of the contexts of the last results, which many share. */
const contextTexts = new WeakMap<object, string>();

/**
 * The message as JSON, its states as f32 in their shortest form: they are computed in f32, and as doubles their text is twice as
 * long and takes a quarter of the time of the event loop.
 */
export function textWithFeatures<Message extends WithFeatures>(message: Message): string {
  const { features, context, ...rest } = message;
  const { endState, meanState, ...others } = features;
  const states = `{"endState":${f32Json(endState)},"meanState":${f32Json(meanState)}}`;
  const text = joined(JSON.stringify(rest), `{"features":${joined(states, JSON.stringify(others))}}`);
  return context === undefined ? text : joined(text, `{"context":${contextText(context)}}`);
}

function contextText(context: object): string {
  let text = contextTexts.get(context);
  if (text === undefined) {
    text = JSON.stringify(context);
    contextTexts.set(context, text);
  }
  return text;
}

/** The fields of two objects as JSON in one. */
function joined(one: string, other: string): string {
  return other === '{}' ? one : `${one.slice(0, -1)},${other.slice(1)}`;
}
