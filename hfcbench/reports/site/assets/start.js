// Runs before the page is laid out: rows that a script will fold away are not laid out first.
"use strict";
document.documentElement.classList.add("starting");
