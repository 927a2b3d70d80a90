/**
 * Training listeners: what DL4J calls in the middle of {@code fit}. Each completes an updater or looks at a training: {@code
 * CurvatureListener} ({@code Preconditioned}, {@code FusePv}, {@code Fuse}), {@code LfsoListener} ({@code Lfso}), {@code GaussNewtonListener},
 * {@code GeometryListener} (Chen 2023), {@code SaddleListener} (Lee et al. 2016; Anandkumar, Ge 2016).
 */
package io.github.dl4jfuse.listener;
