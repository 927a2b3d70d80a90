package io.github.dl4jfuse.examples.upstream;

import org.deeplearning4j.config.DL4JSystemProperties;
import org.deeplearning4j.nn.layers.mkldnn.BaseMKLDNNHelper;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reproduces: DL4J takes oneDNN for missing on a backend that was built with it, even when its helpers are switched on by
 * hand. See docs/upstream.md.
 */
public final class OneDnnNeverUsed {

    private OneDnnNeverUsed() {}

    public static void main(String[] args) {
        System.setProperty(DL4JSystemProperties.DISABLE_HELPER_PROPERTY, "false"); // it defaults to true
        System.out.println("built with oneDNN:    "
                + Nd4j.getBackend()
                        .buildInfo()
                        .toUpperCase(java.util.Locale.ROOT)
                        .contains("ONEDNN"));
        System.out.println("native helpers allowed: " + Nd4j.getEnvironment().helpersAllowed());
        for (String name : new String[] {
            "org.nd4j.nativeblas.Nd4jCpu$Environment", "org.nd4j.linalg.cpu.nativecpu.bindings.Nd4jCpu$Environment"
        }) {
            try {
                Class.forName(name, false, OneDnnNeverUsed.class.getClassLoader());
                System.out.println("class exists:         " + name);
            } catch (ClassNotFoundException e) {
                System.out.println("class does not exist: " + name + "   (the one that BaseMKLDNNHelper asks)");
            }
        }
        System.out.println("DL4J uses oneDNN:     " + BaseMKLDNNHelper.mklDnnEnabled());
    }
}
