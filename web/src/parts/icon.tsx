// The signs of buttons, drawn on a grid of 16.
const PATHS = {
  play: "M5 3.2v9.6l7.5-4.8z", pause: "M5 3.5v9M11 3.5v9", next: "M4.5 4l5 4-5 4M12 4v8", previous: "M11.5 4l-5 4 5 4M4 4v8",
  plus: "M8 3.5v9M3.5 8h9", minus: "M3.5 8h9", fit: "M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3", search: "M7 11.5a4.5 4.5 0 1 1 0-9 4.5 4.5 0 0 1 0 9zM10.3 10.3L13.5 13.5",
  pin: "M6 2.5h4l-.5 4 2 2.5h-7l2-2.5zM8 9v4.5", close: "M4 4l8 8M12 4l-8 8", save: "M8 2.5v7M5 6.8L8 9.8l3-3M3 13.2h10", sun: "M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zM8 1.3v1.4M8 13.3v1.4M1.3 8h1.4M13.3 8h1.4M3.3 3.3l1 1M11.7 11.7l1 1M12.7 3.3l-1 1M4.3 11.7l-1 1",
  moon: "M13 9.6A5.6 5.6 0 0 1 6.4 3 5.6 5.6 0 1 0 13 9.6z", half: "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12zM8 3.4a4.6 4.6 0 0 1 0 9.2z", right: "M6 3.5L10.5 8 6 12.5", down: "M3.5 6L8 10.5 12.5 6", end: "M3 8h8M8.5 5L11.5 8l-3 3M13.3 3.5v9",
  more: "M3.500 8h.1M8 8h.1M12.500 8h.1", back: "M13 8H3.5M7 4L3 8l4 4", warn: "M8 2.5l6 10.5H2zM8 6.5v3M8 11.2v.3", check: "M3 8.5l3.2 3.2L13 4.8", keys: "M2.5 4.5h11v7h-11zM5 9.5h6M5 6.8h.2M8 6.8h.2M11 6.8h.2", undo: "M6 3.5L3 6.5l3 3M3.4 6.5H9a3.5 3.5 0 0 1 0 7H6", out: "M6 2.5H3v11h3M7 8h6.5M11 5.3L13.7 8 11 10.7",
} as const;
export type IconName = keyof typeof PATHS;

export const Icon = ({ name }: { name: IconName }) => (
  <svg class={`icon${name === "play" || name === "half" ? " is-full" : ""}`} viewBox="0 0 16 16" aria-hidden="true"><path d={PATHS[name]} fill-rule="evenodd" /></svg>
);
