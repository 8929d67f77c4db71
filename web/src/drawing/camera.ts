// Which part of a drawing is seen: moved by dragging, wheel, two fingers and keys.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";
import type { Place } from "./layout";

export type Size = { width: number; height: number };
export type View = { scale: number; x: number; y: number };
const [LEAST, MOST] = [0.15, 6];

/** The size of an element, followed as it changes. */
export function useSize<E extends Element>(): [RefObject<E | null>, Size] {
  const ref = useRef<E>(null);
  const [size, set] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = (): void => {
      const { width, height } = element.getBoundingClientRect();
      set((old) => (Math.abs(old.width - width) < 1 && Math.abs(old.height - height) < 1 ? old : { width, height }));
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  return [ref, size];
}

/** The view in which all places are seen. */
export function fitted(places: Place[], { width, height }: Size, inset = 0): View {
  if (places.length === 0 || width === 0) return { scale: 1, x: width / 2, y: height / 2 };
  const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const [padX, padY] = [Math.min(90, width * 0.14), Math.min(58, height * 0.14)];
  const scale = Math.min(1.7, (width - inset - 2 * padX) / Math.max(1, right - left), (height - 2 * padY) / Math.max(1, bottom - top));
  return { scale, x: (width + inset) / 2 - ((left + right) / 2) * scale, y: height / 2 - ((top + bottom) / 2) * scale };
}

const zoomed = (view: View, by: number, x: number, y: number): View => {
  const scale = Math.min(MOST, Math.max(LEAST, view.scale * by));
  const factor = scale / view.scale;
  return { scale, x: x - (x - view.x) * factor, y: y - (y - view.y) * factor };
};

export type Camera = { view: View; zoom: (by: number) => void; fit: () => void; isFitted: boolean; onPointerDown: (event: PointerEvent) => void };

/** The camera over an SVG. */
export function useCamera(svg: RefObject<SVGSVGElement | null>, places: Place[], size: Size, inset: number): Camera {
  const [chosen, choose] = useState<View | null>(null);
  const view = chosen ?? fitted(places, size, inset);
  const now = useRef(view);
  now.current = view;
  useEffect(() => choose(null), [places]);
  useEffect(() => {
    const element = svg.current;
    if (!element) return;
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      choose(zoomed(now.current, Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), event.clientX - box.left, event.clientY - box.top));
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, [svg]);
  const fingers = useRef(new Map<number, { x: number; y: number }>());
  const onPointerDown = useCallback((event: PointerEvent) => {
    const element = svg.current;
    if (!element) return;
    const down = fingers.current;
    down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (down.size > 1) return;
    const moved = (next: PointerEvent): void => choose(dragged(now.current, down, next, element));
    const ended = (end: PointerEvent): void => {
      down.delete(end.pointerId);
      if (down.size > 0) return;
      removeEventListener("pointermove", moved);
      removeEventListener("pointerup", ended);
      removeEventListener("pointercancel", ended);
    };
    addEventListener("pointermove", moved);
    addEventListener("pointerup", ended);
    addEventListener("pointercancel", ended);
  }, [svg]);
  return { view, zoom: (by) => choose(zoomed(view, by, size.width / 2, size.height / 2)), fit: () => choose(null), isFitted: chosen === null, onPointerDown };
}

/** The view after a finger moved: one moves, two move and zoom. */
function dragged(view: View, down: Map<number, { x: number; y: number }>, event: PointerEvent, element: Element): View {
  const old = down.get(event.pointerId);
  if (!old) return view;
  const next = { x: event.clientX, y: event.clientY };
  const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
  down.set(event.pointerId, next);
  if (!other) return { ...view, x: view.x + next.x - old.x, y: view.y + next.y - old.y };
  const box = element.getBoundingClientRect();
  const far = (a: { x: number; y: number }): number => Math.hypot(a.x - other.x, a.y - other.y) || 1;
  return zoomed(view, far(next) / far(old), (next.x + other.x) / 2 - box.left, (next.y + other.y) / 2 - box.top);
}
