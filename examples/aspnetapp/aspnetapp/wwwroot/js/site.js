"use strict";

const button = document.getElementById("copy");

// The clipboard exists on https and localhost alone: elsewhere the button stays hidden.
if (button && navigator.clipboard) {
    button.hidden = false;
    button.addEventListener("click", async () => {
        const label = button.textContent;
        try {
            const response = await fetch("/environment");
            await navigator.clipboard.writeText(await response.text());
            button.textContent = "Copied";
        } catch {
            button.textContent = "Could not copy";
        }
        setTimeout(() => { button.textContent = label; }, 1500);
    });
}
