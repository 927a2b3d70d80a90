package io.github.dl4jfuse.examples;
import org.nd4j.linalg.factory.Nd4j;
public class Main { public static void main(String[] a) { System.out.println(Nd4j.rand(2,2)); System.out.println(System.console()); } }
