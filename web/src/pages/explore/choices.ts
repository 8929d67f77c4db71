// What is chosen in a neighbourhood, as it stands in the address.
import { change, params } from "../../address";

const toggled = (list: string[], one: string): string[] => (list.includes(one) ? list.filter((other) => other !== one) : [...list, one]);

export const togglePin = (key: string): void => change({ pin: toggled(params("pin"), key) });
export const makeRoot = (key: string): void => change({ root: key, expand: null, selected: null, line: null });
export const chooseNode = (key: string | null): void => change({ selected: key, line: null }, true);
export const chooseLine = (key: string | null): void => change({ line: key, selected: null }, true);
