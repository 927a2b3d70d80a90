package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.acceleration.Acceleration;
import org.deeplearning4j.nn.api.Model;

/** The layers of the module dl4j-fuse-acceleration, where that is on the class path. */
final class FastLayers {

    private FastLayers() {}

    /** Exchanges the layers that it covers, and says so in its words. */
    static void attach(Model model) {
        if (isThere()) {
            Acceleration.attach(model);
        }
    }

    private static boolean isThere() {
        try {
            Class.forName("io.github.dl4jfuse.acceleration.Acceleration", false, FastLayers.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }
}
