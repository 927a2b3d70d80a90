package io.github.dl4jfuse;

import io.github.dl4jfuse.acceleration.Acceleration;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/** Switches oneDNN on before any test makes a network, unless {@code -Dacceleration=off}. */
public class AccelerationForTests implements LauncherSessionListener {

    @Override
    public void launcherSessionOpened(LauncherSession session) {
        if (!"off".equals(System.getProperty("acceleration"))) {
            Acceleration.enable();
        }
    }
}
