package io.github.dl4jfuse.acceleration;

import java.lang.management.ManagementFactory;
import java.util.List;
import javax.management.JMException;
import javax.management.ObjectName;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/** Counts the networks that are alive in this JVM; DL4J keeps no list of them. */
final class LiveNetworks {

    private static final List<String> NAMES =
            List.of(MultiLayerNetwork.class.getName(), ComputationGraph.class.getName());

    private LiveNetworks() {}

    /** Returns their number from the JVM's own histogram of live objects, 0 on a JVM that has none. */
    static int count() {
        String histogram;
        try {
            histogram = (String) ManagementFactory.getPlatformMBeanServer()
                    .invoke(
                            new ObjectName("com.sun.management:type=DiagnosticCommand"),
                            "gcClassHistogram",
                            new Object[] {null},
                            new String[] {String[].class.getName()});
        } catch (JMException e) {
            return 0;
        }
        // A line: rank, number of instances, bytes, class name, sometimes a module.
        return histogram
                .lines()
                .map(line -> line.trim().split("\\s+"))
                .filter(columns -> columns.length >= 4 && NAMES.contains(columns[3]))
                .mapToInt(columns -> Integer.parseInt(columns[1]))
                .sum();
    }
}
