/** What the declarations of the package say of Node's EventEmitter, so that they compile without @types/node. */
type Listener<Events, Name extends keyof Events> = (...args: Extract<Events[Name], unknown[]>) => void;

export declare class EventEmitter<Events extends Record<keyof Events, unknown[]>> {
  on<Name extends keyof Events>(event: Name, listener: Listener<Events, Name>): this;
  once<Name extends keyof Events>(event: Name, listener: Listener<Events, Name>): this;
  off<Name extends keyof Events>(event: Name, listener: Listener<Events, Name>): this;
  addListener<Name extends keyof Events>(event: Name, listener: Listener<Events, Name>): this;
  removeListener<Name extends keyof Events>(event: Name, listener: Listener<Events, Name>): this;
  removeAllListeners(event?: keyof Events): this;
  prependListener<Name extends keyof Events>(event: Name, listener: Listener<Events, Name>): this;
  prependOnceListener<Name extends keyof Events>(event: Name, listener: Listener<Events, Name>): this;
  emit<Name extends keyof Events>(event: Name, ...args: Extract<Events[Name], unknown[]>): boolean;
  listeners<Name extends keyof Events>(event: Name): Listener<Events, Name>[];
  rawListeners<Name extends keyof Events>(event: Name): Listener<Events, Name>[];
  listenerCount(event: keyof Events): number;
  eventNames(): (string | symbol)[];
  getMaxListeners(): number;
  setMaxListeners(count: number): this;
}
