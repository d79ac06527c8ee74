/** Line icons, drawn for this page. */

import type { ComponentChildren } from "preact";

function Icon({ children, size = 20 }: { children: ComponentChildren; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const BackIcon = () => (
  <Icon>
    <path d="M14.5 5.5 8 12l6.5 6.5" />
  </Icon>
);

export const FullscreenIcon = () => (
  <Icon>
    <path d="M4 9V5a1 1 0 0 1 1-1h4M15 4h4a1 1 0 0 1 1 1v4M20 15v4a1 1 0 0 1-1 1h-4M9 20H5a1 1 0 0 1-1-1v-4" />
  </Icon>
);

export const SetupIcon = () => (
  <Icon>
    <path d="M4 7h9M19 7h1M4 17h1M11 17h9" />
    <circle cx="16" cy="7" r="2.5" />
    <circle cx="8" cy="17" r="2.5" />
  </Icon>
);

export const PlotIcon = () => (
  <Icon>
    <path d="M4 4v16h16M8 14l3-4 3 3 5-7" />
  </Icon>
);

export const SnapshotIcon = () => (
  <Icon>
    <path d="M4 8h3l1.5-2.5h7L17 8h3v11H4Z" />
    <circle cx="12" cy="13" r="3.2" />
  </Icon>
);

export const MoreIcon = () => (
  <Icon>
    <path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="3" />
  </Icon>
);

export const LightsIcon = () => (
  <Icon>
    <path d="M12 5.5C8 5.5 5 8.4 5 12s3 6.5 7 6.5c1.5 0 2-3 2-6.5s-.5-6.5-2-6.5Z" />
    <path d="M17.5 8h3M17.5 12h3.5M17.5 16h3" />
  </Icon>
);

export const HornIcon = () => (
  <Icon>
    <path d="M4 10v4h3l8 4.5v-13L7 10H4Z" />
    <path d="M18.5 9.5a3.5 3.5 0 0 1 0 5" />
  </Icon>
);

export const HelpIcon = () => (
  <Icon>
    <path d="M9.2 9a2.9 2.9 0 1 1 4.3 2.6c-.9.5-1.5 1.2-1.5 2.2v.2M12 17.6v.1" />
    <circle cx="12" cy="12" r="9" />
  </Icon>
);

export const PlusIcon = () => (
  <Icon size={24}>
    <path d="M12 5v14M5 12h14" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="m6 6 12 12M18 6 6 18" />
  </Icon>
);

export const CopyIcon = () => (
  <Icon>
    <rect x="8.5" y="8.5" width="11" height="11" rx="2" />
    <path d="M5.5 15.5a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1h9a1 1 0 0 1 1 1" />
  </Icon>
);

export const DownloadIcon = () => (
  <Icon>
    <path d="M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M5 19.5h14" />
  </Icon>
);

export const SignOutIcon = () => (
  <Icon>
    <path d="M10 4.5H6a1 1 0 0 0-1 1v13a1 1 0 0 0 1 1h4M15 8l4 4-4 4M19 12H9.5" />
  </Icon>
);

export const UserIcon = () => (
  <Icon>
    <path d="M12 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M5 19.5c.8-3.2 3.5-5 7-5s6.2 1.8 7 5" />
  </Icon>
);

export const UploadIcon = () => (
  <Icon size={26}>
    <path d="M12 15V4m0 0L7.5 8.5M12 4l4.5 4.5M5 15v3.5a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1V15" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="m5 12.5 4.5 4.5L19 7.5" />
  </Icon>
);

export const PauseIcon = () => (
  <Icon>
    <path d="M9 6v12M15 6v12" />
  </Icon>
);

export const PlayIcon = () => (
  <Icon>
    <path d="M8 5.5v13l10.5-6.5z" />
  </Icon>
);

export const TrashIcon = () => (
  <Icon>
    <path d="M5 7h14M10 7V5a1 1 0 0 1 1-1h2a1 1 0 0 1 1 1v2M7 7l.8 12a1 1 0 0 0 1 1h6.4a1 1 0 0 0 1-1L17 7M10.5 11v5M13.5 11v5" />
  </Icon>
);

/** A car seen from the front three quarters above, for cards. */
export function CarPicture() {
  return (
    <svg class="car-picture" viewBox="0 0 320 150" aria-hidden="true">
      <path class="road" d="M118 22h84l92 128H26z" />
      <path class="road-line" d="M160 26v12m0 14v18m0 16v24m0 18v24" />
      <g class="car-body">
        <path d="M110 100c0-7 5-12 12-13l10-22c2-5 6-8 12-8h32c6 0 10 3 12 8l10 22c7 1 12 6 12 13v20c0 4-3 7-7 7h-86c-4 0-7-3-7-7z" />
        <path class="car-glass" d="m140 70-7 16h54l-7-16c-1-3-3-4-6-4h-28c-3 0-5 1-6 4z" />
        <rect class="car-wheel" x="106" y="116" width="18" height="20" rx="6" />
        <rect class="car-wheel" x="196" y="116" width="18" height="20" rx="6" />
        <rect class="car-light" x="117" y="98" width="18" height="7" rx="3.5" />
        <rect class="car-light" x="185" y="98" width="18" height="7" rx="3.5" />
        <path class="car-antenna" d="M188 58 200 30" />
      </g>
    </svg>
  );
}

/** The mark: a road that leads to the horizon. */
export function Mark({ size = 30 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <path
        d="M7 23.5 16 8l9 15.5"
        fill="none"
        stroke="var(--accent)"
        stroke-width="3.2"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
      <path
        d="M16 15.5v2.5M16 21.5v4"
        stroke="var(--text)"
        stroke-width="2.4"
        stroke-linecap="round"
      />
    </svg>
  );
}
